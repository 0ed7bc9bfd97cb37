"""The one function that joins the flow."""
