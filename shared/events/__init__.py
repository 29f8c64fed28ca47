"""The words on the wire. Pure: models, names and limits; nothing here talks to a broker."""
