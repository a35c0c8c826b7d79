"""Cases counted: days kept at night, statistics of a period, weeks as a picture."""
