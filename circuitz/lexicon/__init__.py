"""What words mean: concepts, their synonyms and kinds. Says nothing about any class."""
