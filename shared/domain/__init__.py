"""The words of the business: values in (also `now`), values out. Nothing here does I/O."""
