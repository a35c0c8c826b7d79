"""Smart codes (智能码): plates from mint to the wall and back."""
