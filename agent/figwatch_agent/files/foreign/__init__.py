"""Files of other tools: Sloth, Pyrra, OpenSLO and slo-generator, read into ours and written from ours."""
