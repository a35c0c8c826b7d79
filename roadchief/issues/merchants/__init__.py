"""The merchant's side: cases at the own shop, fixed or objected to, and help that was asked for."""
