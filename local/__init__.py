"""A newcomer's machine: embedded servers, mail catcher, demo data; absent in production."""
