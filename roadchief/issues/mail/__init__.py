"""Mail: addresses proven and let go, messages of steps, links in mails, what people were told."""
