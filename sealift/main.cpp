#include "sealift/cli.hpp"

int main(int argc, char** argv) { return sealift::run_program(argc, argv); }
