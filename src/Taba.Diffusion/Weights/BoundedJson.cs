using System.Text.Json;
using Taba.Diffusion.Json;

namespace Taba.Diffusion.Weights;

/// <summary>Reads a JSON file of a model folder, which may come from anyone: bounded in size and depth, no name twice.</summary>
static class BoundedJson
{
    /// <summary>Reads a file whose outermost value is an object.</summary>
    /// <exception cref="InvalidDataException">The file is absent, larger than <paramref name="maxBytes"/>, or no JSON object.</exception>
    public static JsonElement ReadObject(string path, int maxBytes)
    {
        try
        {
            using var file = SourceFile.Open(path);
            using var document = StrictJson.Parse(file.ReadBytes(0, file.Length, maxBytes, "it"));
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? document.RootElement.Clone()
                : throw new InvalidDataException($"{path} is not a JSON object.");
        }
        catch (JsonException error)
        {
            throw new InvalidDataException($"{path} is not valid JSON ({error.Message.TrimEnd('.')}).", error);
        }
        catch (WeightsFormatException error)
        {
            throw new InvalidDataException($"{path} cannot be read: {error.Fault}", error);
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new InvalidDataException($"There is no file {path}.", error);
        }
    }
}
