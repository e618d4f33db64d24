"""Settings, the catalog and the manifest: text in, checked structures out."""
