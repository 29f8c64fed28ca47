"""What every HTTP interface of ours has in common: problem documents, bounded bodies, who is asking."""
