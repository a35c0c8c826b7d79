"""The citizen's side: reporting, the receipt and what its holder says, what opens from a mail."""
