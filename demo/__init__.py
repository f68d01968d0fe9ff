"""The demonstration: both tournaments sailed through history by the code that serves live rounds."""
