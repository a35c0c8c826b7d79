"""What the office sets up and looks after: rules of routing, reply texts, what stands still."""
