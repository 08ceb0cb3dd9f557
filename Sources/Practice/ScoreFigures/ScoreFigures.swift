// SVG and PNG on plain numbers.
