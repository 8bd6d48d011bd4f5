"""Footfall's pages inside the Airflow UI: live traffic, reports, quality, stream.

``airflow_plugin`` is what Airflow loads, ``app`` the web application, ``page_*`` one page each.
"""
