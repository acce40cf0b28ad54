// cpp-jwt. Arguments: issuer, audience, the key set, the key in use as PEM. Prints the claims of each token on standard
// input, or why it is refused.
#include <fstream>
#include <iostream>
#include <iterator>
#include <jwt/jwt.hpp>

int main(int count, char **values) {
    using namespace jwt::params;
    std::ifstream file(count > 4 ? values[4] : "");
    std::string pem(std::istreambuf_iterator<char>(file), {});
    for (std::string token; std::getline(std::cin, token);) {
        try {
            auto read = jwt::decode(token, algorithms({"ES256"}), secret(pem), issuer(values[1]), aud(values[2]));
            std::cout << read.payload().create_json_obj() << std::endl;
        } catch (const std::exception &error) {
            std::cout << "refused: " << error.what() << std::endl;
        }
    }
}
