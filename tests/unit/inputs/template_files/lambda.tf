variable "worker_memory" {
  description = "memory_size = 128"
  type        = number
  default     = 512 # MB
}

variable "shared" {
  default = 768
}

locals {
  search_memory = 1024
  tags          = { team = "search", memory_size = 1 }
}

# memory_size = 128
resource "aws_lambda_function" "api" {
  function_name = "api"
  memory_size   = 256 // in MB
  runtime       = "python3.13"

  environment {
    variables = {
      memory_size = "128"
    }
  }
}

resource "aws_lambda_function" "worker" {
  function_name = "${var.prefix}-worker"
  memory_size   = var.worker_memory
}

resource "aws_lambda_function" "search" {
  function_name = "search"
  memory_size   = local.search_memory
  handler       = <<-EOT
    memory_size = 128
  EOT
}

/* resource "aws_lambda_function" "gone" { memory_size = 128 } */
resource "aws_lambda_function" "bare" {
  # the default of Lambda
  function_name = "bare"
}

resource "aws_lambda_function" "first" {
  function_name = "first"
  memory_size   = var.shared
}

resource "aws_lambda_function" "second" {
  function_name = "second"
  memory_size   = var.shared
}

resource "aws_lambda_function" "chosen" {
  function_name = "chosen"
  memory_size   = var.production ? 2048 : 512
}

resource "aws_lambda_function" "elsewhere" {
  function_name = "elsewhere"
  memory_size   = var.in_another_file
}

resource "aws_lambda_function" "many" {
  for_each      = toset(["a", "b"])
  function_name = each.key
  memory_size   = 512
}

module "thumbnail" {
  source        = "terraform-aws-modules/lambda/aws"
  version       = "8.1.0"
  function_name = "thumbnail"
  memory_size   = 1024
}

module "network" {
  source      = "./network"
  memory_size = 1
}
