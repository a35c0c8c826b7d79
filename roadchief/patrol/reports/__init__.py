"""Reports: storefront by storefront, and the month as page, CSV and A4, with the assessment."""
