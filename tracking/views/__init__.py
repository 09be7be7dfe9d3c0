"""What a reader calls by a link in a mail: public pages, without session, cookie or login."""
