"""ECS as a source, against an emulated ECS, EC2, SSM and SQS over HTTP."""
