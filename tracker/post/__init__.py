"""The post: letters as messages, and the only importer of aiosmtplib."""
