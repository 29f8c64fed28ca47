"""MongoDB: the only folder that knows which driver it is. One repository a collection, one writer each."""
