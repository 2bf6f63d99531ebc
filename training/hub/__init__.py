"""The hub's documented HTTP as a publisher uses it (docs/api.md): look, upload, register, fetch."""
