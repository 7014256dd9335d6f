import * as lambda from 'aws-cdk-lib/aws-lambda';

new lambda.Function(this, 'Thumbnail', {
  runtime: lambda.Runtime.PYTHON_3_13,
  memorySize: 512,
  handler: 'app.handler',
});
