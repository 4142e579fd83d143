"""Whether words hold where z is used: which pictures people are asked about, and what follows."""
