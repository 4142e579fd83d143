"""What an export demands of z, one gate each."""
