"""What the market's data are worth: series, delays, holes, and what the features make of them."""
