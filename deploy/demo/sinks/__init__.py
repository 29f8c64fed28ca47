"""The other ends, on sockets: mail, Slack, a webhook. Each speaks its party's protocol and keeps a list."""
