"""M_L fitted to the labels that people who hold a card give."""
