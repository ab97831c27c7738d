"""Shows that the check finds what it is there to find: each of these exchanges has one fault, and each must be found."""

import json

import models

IAM = (
    '<GetRoleResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><GetRoleResult><Role>{}</Role></GetRoleResult>'
    "<ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></GetRoleResponse>"
)
BROKEN = [
    ("athena", "GetQueryExecution", {"QueryExecutionId": "q"}, {"QueryExecution": {"Status": {"State": "DONE"}}}, "is not one of"),
    ("athena", "GetQueryExecution", {"QueryExecutionId": "q"}, {"QueryExecution": {"Status": {"SubmissionDateTime": "now"}}}, "timestamp"),
    ("athena", "StopQueryExecution", {}, {}, "required"),
    ("lakeformation", "ListPermissions", {}, {"Permissions": []}, "not in the model"),
    ("lakeformation", "ListPermissions", {"Filter": 1}, {}, "not in the model"),
    ("lakeformation", "ListPermissions", {"ResourceType": "COLUMN"}, {}, "is not one of"),
    ("lakeformation", "GetDataCellsFilter", None, {"DataCellsFilter": {"Name": "f"}}, "required"),
    ("glue", "GetTables", {"DatabaseName": "d"}, {"TableList": {}}, "not a list"),
    ("dynamodb", "GetItem", {"TableName": "t", "Key": {"pk": {"S": "k"}}}, {"Item": {"b": {"B": "?"}}}, "base64"),
    ("iam", "GetRole", "Action=GetRole&RoleName=r", IAM.format("<Name>r</Name>"), "not in the model"),
    ("iam", "GetRole", "Action=GetRole&RoleName=r&Path=p", IAM.format(""), "not in the model"),
]


def unfound() -> list[str]:
    missed = []
    for service, name, request, answer, wanted in BROKEN:
        operation = models.model_of(service).operation_model(name)
        said = request if isinstance(request, str) else json.dumps(request)
        body = answer if isinstance(answer, str) else json.dumps(answer)
        response = {"status": 200, "headers": {}, "body": body}
        faults = models.answer_faults(service, operation, response)
        if request is not None:
            faults += models.request_faults(service, operation, said)
        if not any(wanted in fault for fault in faults):
            missed.append(f"{service}.{name}: {wanted}, found only {faults}")
    return missed
