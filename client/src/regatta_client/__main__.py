"""`python -m regatta_client` is the command `regatta`."""

from regatta_client.command import main

if __name__ == "__main__":
    main()
