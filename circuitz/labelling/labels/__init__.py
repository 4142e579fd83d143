"""From answers to labels: who agrees with whom, and the label model M_L_test."""
