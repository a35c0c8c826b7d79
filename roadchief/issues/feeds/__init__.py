"""Public cases as Atom feeds (RFC 4287): what a feed tells, how it looks, its addresses."""
