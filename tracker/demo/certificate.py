"""A certificate for trying the demo on a real phone in the same network (`--https`): signed by nobody, for this machine only."""

from pathlib import Path

import trustme


def certificate_for(host: str, data: Path) -> tuple[Path, Path]:
    """Certificate and key files for a name or address; made once and kept."""
    cert, key = data / f"{host}.cert.pem", data / f"{host}.key.pem"
    if not (cert.exists() and key.exists()):
        data.mkdir(parents=True, exist_ok=True)
        own = trustme.CA(organization_name="technician-tracker demo").issue_cert(host, "localhost", "127.0.0.1")
        key.touch(mode=0o600)
        key.write_bytes(own.private_key_pem.bytes())
        cert.write_bytes(b"".join(blob.bytes() for blob in own.cert_chain_pems))
    return cert, key
