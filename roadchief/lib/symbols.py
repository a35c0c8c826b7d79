"""A QR symbol as a drawing that a page can inline. *Pure.*"""

import qrcode
from markupsafe import Markup

QUIET = 4  # modules, as the standard asks


def qr_svg(content: str) -> Markup:
    """One path of unit squares; black on white in every colour scheme, for cameras."""
    symbol = qrcode.QRCode(border=QUIET)
    symbol.add_data(content)
    symbol.make(fit=True)
    modules = symbol.get_matrix()
    path = "".join(
        f"M{x} {y}h1v1h-1z" for y, row in enumerate(modules) for x, dark in enumerate(row) if dark
    )
    size = len(modules)
    return Markup(  # noqa: S704
        f'<svg class="qr" role="img" aria-label="QR" viewBox="0 0 {size} {size}">'
        f'<path fill="#fff" d="M0 0h{size}v{size}H0z"/><path fill="#000" d="{path}"/></svg>'
    )
