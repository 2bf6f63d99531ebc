"""Labelled samples: from PostgreSQL and S3 where they are configured, generated otherwise; split once and for ever."""
