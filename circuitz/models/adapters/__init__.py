"""Networks and weights from elsewhere: TransformerLens, Hugging Face, files, wrapped modules."""
