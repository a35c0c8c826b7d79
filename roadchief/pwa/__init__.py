"""The phone app of patrol staff: its shell, and the door through which its acts come in."""
