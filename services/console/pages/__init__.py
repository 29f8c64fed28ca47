"""What people see of the console in a browser."""
