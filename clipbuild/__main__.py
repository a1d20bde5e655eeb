"""`python -m clipbuild` is `clipbuild`."""

from clipbuild.cli.main import main

if __name__ == "__main__":
    main()
