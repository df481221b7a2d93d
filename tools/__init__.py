"""What instructors and maintainers run: the course, its pages, its slides."""
