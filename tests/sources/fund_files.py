"""A small fund workbook in the three forms in which issuers serve them."""

import copy
import io
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

import openpyxl
import xlwt

Sheets = dict[str, list[list[str | float]]]

HEAD = ["Ticker", "Name", "Sector", "Asset Class", "Market Value", "Weight (%)", "Exchange"]

SHEETS: Sheets = {
    "Disclaimers": [["Owned by somebody & others."]],
    "Holdings": [
        ["04-Jan-2024"],
        ["Small Company Fund"],
        ["Inception Date", "Dec 29, 2023"],
        ["Fund Holdings as of", "Jan 04, 2024"],
        ["Number of Securities (excluding cash and derivatives)", "5.00"],
        ["Shares Outstanding", "1,250,000.00"],
        [""],
        HEAD,
        ["AAA", "Alpha & Co", "Energy", "Equity", 5000.5, 50.25, "NASDAQ"],
        ["BBB", "Beta", "Energy", "Equity", "3,000.00", 30, "New York Stock Exchange Inc."],
        ["BBB", "Beta, second line", "Energy", "Equity", 100, 1.5, "New York Stock Exchange Inc."],
        ["OLD", "Old Corp CVR", "Energy", "Equity", 1, 0.01, "NO MARKET (E.G. UNLISTED)"],
        ["--", "Warrants", "Energy", "Equity", 1, 0.01, "NASDAQ"],
        ["USD", "USD CASH", "Cash", "Cash", 100, 18.23, "--"],
        [" "],
        ["Holdings are subject to change."],
    ],
    "Historical": [
        ["As Of", "NAV per Share", "Ex-Dividends", "Shares Outstanding"],
        ["Jan 04, 2024", 12.5, "--", 1250000],
        ["Jan 03, 2024", 25.123456, 0.5, "500,000.00"],
        ["Jan 02, 2024", "1,024.5", "--", 0],
        ["Jan 01, 2024", "--", "--", "--"],
        ["Dec 29, 2023", 24.0, "--", 400000.0],
    ],
    "Distributions": [
        ["Record Date", "Ex-Date", "Payable Date", "Total Distribution", "Income"],
        ["Jan 04, 2024", "Jan 03, 2024", "--", 0.5, "--"],
    ],
}


def sheets() -> Sheets:
    return copy.deepcopy(SHEETS)


def as_xls(content: Sheets) -> bytes:
    book = xlwt.Workbook()
    for name, rows in content.items():
        sheet = book.add_sheet(name)
        for i, row in enumerate(rows):
            for j, cell in enumerate(row):
                sheet.write(i, j, cell)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def as_xlsx(content: Sheets) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in content.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def as_xml(content: Sheets) -> bytes:
    """Write it as issuers do: a byte order mark, tags of styles closed without their prefix."""
    parts = [
        '\ufeff<?xml version="1.0"?>\n<ss:Workbook xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet">',
        '<ss:Styles><ss:Style ss:ID="Left"><ss:Alignment ss:Horizontal="Left"/></Style></ss:Styles>',
    ]
    for name, rows in content.items():
        parts.append(f"<ss:Worksheet ss:Name={quoteattr(name)}><ss:Table>")
        for row in rows:
            cells = [_xml_cell(cell) for cell in row]
            parts.append(f"<ss:Row>{''.join(cells)}</ss:Row>")
        parts.append("</ss:Table></ss:Worksheet>")
    return "".join([*parts, "</ss:Workbook>"]).encode()


def _xml_cell(cell: str | float) -> str:
    kind = "String" if isinstance(cell, str) else "Number"
    return f'<ss:Cell ss:StyleID="Left"><ss:Data ss:Type="{kind}">{escape(str(cell))}</ss:Data></ss:Cell>'


FORMS = {"xls": as_xls, "xlsx": as_xlsx, "xml": as_xml}


def written(folder: Path, content: Sheets, form: str = "xml", name: str = "fund.xls") -> Path:
    path = folder / name
    path.write_bytes(FORMS[form](content))
    return path
