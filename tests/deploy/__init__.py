"""What is shipped to be deployed: the image, the templates, the policies."""
