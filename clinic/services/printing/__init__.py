"""Documents on paper. `pdf.render(template, context)`; what is in them is their caller's business."""
