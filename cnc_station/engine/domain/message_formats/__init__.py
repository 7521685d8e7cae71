"""The formats in which a delivery is sent: a signed webhook, a chat message, e-mail, a template."""
