"""What staff look at before a mailing goes: checks and previews."""
