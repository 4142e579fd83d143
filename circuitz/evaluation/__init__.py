"""Truth: D′ labels, scene concepts, simulated raters. Nothing beneath may import it."""
