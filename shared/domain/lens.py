"""The eight ways departments see a customer. Fixed by the product; departments are free and map to one."""

from __future__ import annotations

from enum import StrEnum


class Lens(StrEnum):
    DATA_SCIENCE = "data_science"
    PROJECT_MANAGEMENT = "project_management"
    DEVELOPMENT = "development"
    CONSULTING_SUPPORT = "consulting_support"
    SALES_MARKETING = "sales_marketing"
    FINANCE_LEGAL = "finance_legal"
    MANAGEMENT = "management"
    DESIGN = "design"


LENS_NAMES: dict[Lens, str] = {
    Lens.DATA_SCIENCE: "data science",
    Lens.PROJECT_MANAGEMENT: "project management",
    Lens.DEVELOPMENT: "development",
    Lens.CONSULTING_SUPPORT: "consulting & support",
    Lens.SALES_MARKETING: "sales & marketing",
    Lens.FINANCE_LEGAL: "finance & legal",
    Lens.MANAGEMENT: "management",
    Lens.DESIGN: "design",
}
