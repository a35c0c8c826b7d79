"""Where cases come from besides citizens: a patrol's findings and their photos, files of others."""
