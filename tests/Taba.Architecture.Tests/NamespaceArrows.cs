using System.Reflection;
using System.Reflection.Emit;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;

namespace Taba.Architecture.Tests;

/// <summary>One namespace of an assembly uses another: in a signature, a field, an attribute or the body of a method.</summary>
/// <param name="Because">A type of the one, and a type of the other that it uses.</param>
sealed record NamespaceArrow(string From, string To, string Because);

/// <summary>
/// Reads from a compiled assembly which of its namespaces use which. A constant of another namespace is a number once it is compiled:
/// its use is not seen.
/// </summary>
static class NamespaceArrows
{
    /// <summary>Each arrow once.</summary>
    /// <param name="assembly">The assembly.</param>
    /// <param name="root">Its root namespace: what generators make in others is not looked at.</param>
    public static IReadOnlyList<NamespaceArrow> Of(Assembly assembly, string root)
    {
        using var file = new PEReader(File.OpenRead(assembly.Location));
        var reader = file.GetMetadataReader();
        var arrows = new Dictionary<(string From, string To), NamespaceArrow>();
        foreach (var handle in reader.TypeDefinitions)
        {
            var from = NamespaceOf(reader, handle);
            if (!Within(from, root))
                continue;
            foreach (var used in UsedBy(file, reader, handle))
            {
                var to = NamespaceOf(reader, used);
                if (to != from && Within(to, root))
                    arrows.TryAdd((from, to), new(from, to, $"{NameOf(reader, handle)} uses {NameOf(reader, used)}"));
            }
        }
        return [.. arrows.Values.OrderBy(a => a.From, StringComparer.Ordinal).ThenBy(a => a.To, StringComparer.Ordinal)];
    }

    static bool Within(string name, string root) => name == root || name.StartsWith(root + ".", StringComparison.Ordinal);

    static HashSet<TypeDefinitionHandle> UsedBy(PEReader file, MetadataReader reader, TypeDefinitionHandle handle)
    {
        var type = reader.GetTypeDefinition(handle);
        var use = new TypeUse(reader);
        if (!type.BaseType.IsNil)
            use.Add(type.BaseType);
        foreach (var implemented in type.GetInterfaceImplementations())
            use.Add(reader.GetInterfaceImplementation(implemented).Interface);
        AddConstraints(reader, type.GetGenericParameters(), use);
        AddAttributes(reader, type.GetCustomAttributes(), use);
        foreach (var field in type.GetFields().Select(reader.GetFieldDefinition))
        {
            field.DecodeSignature(use, false);
            AddAttributes(reader, field.GetCustomAttributes(), use);
        }
        foreach (var property in type.GetProperties().Select(reader.GetPropertyDefinition))
            AddAttributes(reader, property.GetCustomAttributes(), use);
        foreach (var method in type.GetMethods().Select(reader.GetMethodDefinition))
        {
            method.DecodeSignature(use, false);
            AddConstraints(reader, method.GetGenericParameters(), use);
            AddAttributes(reader, method.GetCustomAttributes(), use);
            if (method.RelativeVirtualAddress != 0)
                AddBody(file.GetMethodBody(method.RelativeVirtualAddress), use);
        }
        return use.Types;
    }

    static void AddConstraints(MetadataReader reader, GenericParameterHandleCollection parameters, TypeUse use)
    {
        foreach (var constraint in parameters.SelectMany(p => reader.GetGenericParameter(p).GetConstraints()))
            use.Add(reader.GetGenericParameterConstraint(constraint).Type);
    }

    static void AddAttributes(MetadataReader reader, CustomAttributeHandleCollection attributes, TypeUse use)
    {
        foreach (var attribute in attributes)
            use.Add(reader.GetCustomAttribute(attribute).Constructor);
    }

    static void AddBody(MethodBodyBlock body, TypeUse use)
    {
        if (!body.LocalSignature.IsNil)
            use.Add(body.LocalSignature);
        foreach (var region in body.ExceptionRegions.Where(r => !r.CatchType.IsNil))
            use.Add(region.CatchType);
        var il = body.GetILBytes()!;
        foreach (var (code, _, operand, _) in Il.Split(il))
        {
            if (code.OperandType is OperandType.InlineField or OperandType.InlineMethod or OperandType.InlineTok
                or OperandType.InlineType or OperandType.InlineSig)
                use.Add(MetadataTokens.EntityHandle(BitConverter.ToInt32(il, operand)));
        }
    }

    /// <summary>The namespace of a type, or of the type that it is nested in.</summary>
    static string NamespaceOf(MetadataReader reader, TypeDefinitionHandle handle) => reader.GetString(Outermost(reader, handle).Namespace);

    static string NameOf(MetadataReader reader, TypeDefinitionHandle handle) => reader.GetString(Outermost(reader, handle).Name);

    static TypeDefinition Outermost(MetadataReader reader, TypeDefinitionHandle handle)
    {
        var type = reader.GetTypeDefinition(handle);
        while (!type.GetDeclaringType().IsNil)
            type = reader.GetTypeDefinition(type.GetDeclaringType());
        return type;
    }
}
