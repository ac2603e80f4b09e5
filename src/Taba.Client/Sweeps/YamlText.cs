using Taba.Grains;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Taba.Client.Sweeps;

/// <summary>
/// Reads the part of YAML that sweep files use: mappings, lists and scalars. Anchors, aliases, tags and further documents are
/// refused, and so are depths and sizes that no sweep has: a file from elsewhere can cost no more than its own length.
/// </summary>
static class YamlText
{
    /// <summary>Bytes of a sweep file.</summary>
    public const int MaxBytes = 1 << 20;

    const int MaxDepth = 12;

    /// <exception cref="BadInputException">Not YAML, or not the part of it that is read here.</exception>
    public static YamlNode Parse(string text, string source)
    {
        var scanner = new Scanner(new StringReader(text));
        try
        {
            var parser = new Parser(scanner);
            parser.Consume<StreamStart>();
            if (!parser.TryConsume<DocumentStart>(out _))
                throw new BadInputException($"{source} is empty: a sweep needs at least a name and a model.");
            var root = Node(parser, source, 0);
            parser.Consume<DocumentEnd>();
            if (!parser.TryConsume<StreamEnd>(out _))
                throw new BadInputException($"{source} holds more than one document: keep one sweep in a file.");
            return root;
        }
        catch (YamlException e)
        {
            throw new BadInputException($"{Place(source, e.Start)}: not valid YAML ({e.Message.TrimEnd('.')}).", e);
        }
        catch (Exception e) when (e is not (BadInputException or OutOfMemoryException))
        {
            // What the library meets and does not expect, such as a bracket that is never closed, it throws as errors of its own.
            throw new BadInputException(
                $"{Place(source, scanner.CurrentPosition)}: not valid YAML: look for a bracket, brace or quote that is not closed.", e);
        }
    }

    static YamlNode Node(Parser parser, string source, int depth)
    {
        var place = Place(source, parser.Current!.Start);
        if (depth > MaxDepth)
            throw new BadInputException($"{place}: nested more than {MaxDepth} deep, which no sweep is.");
        if (parser.Current is AnchorAlias)
            throw new BadInputException($"{place}: aliases (*name) are not read in sweep files: write the value out.");
        if (parser.Current is NodeEvent { Anchor.IsEmpty: false })
            throw new BadInputException($"{place}: anchors (&name) are not read in sweep files: remove it.");
        if (parser.Current is NodeEvent { Tag.IsEmpty: false })
            throw new BadInputException($"{place}: tags (!name) are not read in sweep files: remove it.");
        if (parser.TryConsume<Scalar>(out var scalar))
            return new YamlScalar(place, scalar.Value, scalar.Style is not ScalarStyle.Plain);
        if (parser.TryConsume<SequenceStart>(out _))
        {
            var items = new List<YamlNode>();
            while (!parser.TryConsume<SequenceEnd>(out _))
                items.Add(Node(parser, source, depth + 1));
            return new YamlList(place, items);
        }
        parser.Consume<MappingStart>();
        return Mapping(parser, source, place, depth);
    }

    static YamlMap Mapping(Parser parser, string source, string place, int depth)
    {
        var entries = new List<KeyValuePair<string, YamlNode>>();
        var places = new Dictionary<string, string>();
        while (!parser.TryConsume<MappingEnd>(out _))
        {
            if (Node(parser, source, depth + 1) is not YamlScalar key)
                throw new BadInputException($"{place}: a key must be a word.");
            if (!places.TryAdd(key.Text, key.Where))
                throw new BadInputException($"{key.Where}: {key.Text} is given twice (first at {places[key.Text]}): remove one.");
            entries.Add(new(key.Text, Node(parser, source, depth + 1)));
        }
        return new YamlMap(place, entries, places);
    }

    static string Place(string source, Mark mark) => $"{source}, line {mark.Line}";
}
