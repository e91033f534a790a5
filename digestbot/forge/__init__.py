"""Where repos live: how they are listed, read and proposed to. Each forge is one file or few."""
